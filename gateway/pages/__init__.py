"""Web pages for the people who have a screen: kiosk agents, officers, operators."""
