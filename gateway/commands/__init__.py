"""The commands of `leafline`, a file a group. They open the whole context, as a process does."""
