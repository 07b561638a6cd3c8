"""The answer that brings most where partners are asked one after the other."""
