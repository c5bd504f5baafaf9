"""What farmers and officers write, and what they get back: tables that tests prove row by row, and
of which a played season draws its sloppy words."""
