package main

import "os"

func betas() string { return os.Getenv("BETAS") }
