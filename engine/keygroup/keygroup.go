// Package keygroup maps keys to key groups, and key groups to subtasks.
//
// The number of key groups is fixed for the life of a pipeline's state. A key
// belongs to one group for ever; a subtask owns a contiguous range of groups,
// and a change of parallelism moves whole groups. The mapping is part of every
// checkpoint: it never changes.
package keygroup

import "math/bits"

// Of returns the group, from 0 to groups-1, of a key with the given
// gpflow.HashKey. Groups divide the range of hashes into equal, ascending
// parts, so that the order of groups is the order of hashes, and the low bits
// of the hash stay free for tables within a group.
func Of(hash uint64, groups int) int {
	g, _ := bits.Mul64(hash, uint64(groups))
	return int(g)
}

// Least returns the least hash whose group is the given one, from 0 to groups-1.
func Least(group, groups int) uint64 {
	hash, rest := bits.Div64(uint64(group), 0, uint64(groups))
	if rest > 0 {
		hash++
	}
	return hash
}

// Owner returns the index of the subtask that owns group, where parallelism
// subtasks share groups. Parallelism is from 1 to groups.
func Owner(group, groups, parallelism int) int {
	return group * parallelism / groups
}

// Range returns the groups that the subtask of the given index owns: from up
// to, but not including, to. The ranges of all subtasks are contiguous,
// ascending, cover every group once, and differ in length by at most one.
func Range(index, groups, parallelism int) (from, to int) {
	return first(index, groups, parallelism), first(index+1, groups, parallelism)
}

// first returns the first group whose owner is index or later.
func first(index, groups, parallelism int) int {
	return (index*groups + parallelism - 1) / parallelism
}
