"""The roles of a search: what each kind of component decides, and the methods it offers."""
