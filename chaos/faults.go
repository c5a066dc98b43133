package main

import "regexp"

func (c *chaos) faults(wanted *regexp.Regexp) error { return nil }
func (c *chaos) planted() error { return nil }
