package main

import (
	"os"
	"strings"
)

func betas() []string { return strings.Split(os.Getenv("BETAS"), ",") }
