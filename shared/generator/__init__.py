"""What `shared/generate.py` is made of: one reader of the protocol's definition, and one module for each kind of target."""
