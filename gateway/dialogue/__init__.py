"""What is said: the message catalogue, GSM-7 counting, USSD screens, SMS keywords."""
