package plan

// Regions returns the weakly connected components of the plan's tasks: the ids
// of the tasks that records lead between, whatever their direction. What happens
// in one of them is not seen in another. Each has its tasks in the order of the
// plan, and they stand in the order of their first tasks.
func Regions(p *Plan) [][]string {
	at := make(map[string]int, len(p.Tasks))
	for i := range p.Tasks {
		at[p.Tasks[i].ID] = i
	}
	root := make([]int, len(p.Tasks)) // of each task another one of its region, before it; its own place: the first
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, e := range p.Edges {
		a, b := find(at[e.From]), find(at[e.To])
		root[max(a, b)] = min(a, b)
	}
	var regions [][]string
	place := make(map[int]int) // by first task
	for i := range p.Tasks {
		first := find(i)
		r, ok := place[first]
		if !ok {
			r = len(regions)
			place[first] = r
			regions = append(regions, nil)
		}
		regions[r] = append(regions[r], p.Tasks[i].ID)
	}
	return regions
}
