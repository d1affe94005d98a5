package main

import "github.com/ogen-go/ogen/ogenerrors"

var errSkip = ogenerrors.ErrSkipClientSecurity
