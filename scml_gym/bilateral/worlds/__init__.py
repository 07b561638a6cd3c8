"""One negotiation of two sides over a scenario, in two worlds: negmas' own mechanism, and tables in compiled code."""
