"""`/v1/messages`: which requests are refused, in which words, and in which form the rest is answered."""
