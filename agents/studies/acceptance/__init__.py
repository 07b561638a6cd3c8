"""The study of learnt acceptance strategies: many rewards and opponents, trained in one problem, judged in another."""
