"""The analyzer as a web application: pages over recordings, served to the browser of this machine.

`serve` serves them. A page is a function of what is open and of the query in its address, see
`scml_gym.analyzer.web.page`; all that it asks is asked through `scml_gym.analyzer.queries` and the detectors.
"""
