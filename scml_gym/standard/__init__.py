"""SCML's Standard track: several levels of factories that keep stock and trade up to ten days ahead."""
