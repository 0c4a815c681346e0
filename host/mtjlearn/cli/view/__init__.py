"""What commands show: words, tables and bars. A command imports what it shows with when it runs, not for its --help."""
