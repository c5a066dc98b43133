// Package generate is the source "generate": records made from expressions over
// a counter, for examples, tests and measurements.
//
// The records are numbered 0, 1, 2 and so on by i. Of P splits, split k has the
// numbers k, k+P, k+2P, ...; a position is the next number. What a record holds
// is a function of its number and the seed, whatever reads it and when.
package generate
