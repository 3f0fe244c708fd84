package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// panels of kept pages and of an administrator's, over the same splits.
func (s *Splits) panels() ([]*panel, error) {
	var splits []int
	var kept, made []Rate
	for _, point := range s.Points {
		splits = append(splits, point.CacheMillicores)
		kept, made = append(kept, point.Kept), append(made, point.Administrator)
	}
	runs := fmt.Sprintf("median of %d runs of %d s, bars from the least to the most", s.Runs, s.Seconds)
	x := fmt.Sprintf("processor time of the cache's two pods together, of %d in all (millicores)", s.TotalMillicores)
	upper := newPanel(fmt.Sprintf("Kept front pages, on %d connections: %s", s.Connections, failures(kept)), x, "pages a second")
	lower := newPanel(fmt.Sprintf("Front pages for an administrator, on %d connections: %s", s.Connections, failures(made)), x, "pages a second")
	for _, panel := range []*panel{upper, lower} {
		panel.X.Min, panel.X.Max, panel.X.Tick.Marker = 0, float64(s.TotalMillicores), at(splits)
		panel.Y.Min = 0
	}
	if err := errors.Join(upper.spreads(runs, 0, splits, spreads(kept)), lower.spreads(runs, 1, splits, spreads(made))); err != nil {
		return nil, err
	}
	for _, panel := range []*panel{upper, lower} {
		panel.X.Max = float64(splits[len(splits)-1]) * 1.05
		panel.Y.Min, panel.Y.Max = 0, panel.Y.Max*1.05
	}
	return []*panel{upper, lower}, nil
}

func spreads(rates []Rate) (all []Spread) {
	for _, rate := range rates {
		all = append(all, rate.Spread)
	}
	return all
}

// panels of the kept page and of the one that is made anew, over the same seconds.
func (r *Rollout) panels() ([]*panel, error) {
	kept, err := r.panel("Kept front page", r.Kept)
	anew, anewErr := r.panel("Page made anew", r.Anew)
	return []*panel{kept, anew}, errors.Join(err, anewErr)
}

func (r *Rollout) panel(name string, taken Latencies) (*panel, error) {
	p := newPanel(fmt.Sprintf("%s, asked for %g times a second: %d of %d requests failed", name, taken.PerSecond, taken.Failed, taken.Requests),
		"time (s)", "latency (ms)")
	least, most, last := math.Inf(1), 0.0, 0
	for i, second := range taken.Seconds {
		least, most, last = min(least, taken.P50[i]), max(most, taken.Max[i]), max(last, second)
	}
	// Beyond the slowest, for the names of the phases.
	if err := p.logarithmic(least, 2*most); err != nil {
		return nil, err
	}
	p.X.Min, p.X.Max = 0, float64(last)
	problems := []error{p.phases(r.Phases)}
	problems = append(problems, p.line("median of each second", 0, taken.Seconds, taken.P50))
	if len(taken.P99) > 0 {
		problems = append(problems, p.line("p99", 1, taken.Seconds, taken.P99))
	}
	problems = append(problems, p.line("slowest", 2, taken.Seconds, taken.Max))
	return p, errors.Join(problems...)
}

// phases are shaded, with their names at the top.
func (p *panel) phases(all []Phase) error {
	least, most := p.Y.Min, p.Y.Max
	for _, phase := range all {
		area, err := plotter.NewPolygon(plotter.XYs{
			{X: phase.From, Y: least}, {X: phase.Until, Y: least}, {X: phase.Until, Y: most}, {X: phase.From, Y: most},
		})
		if err != nil {
			return err
		}
		area.Color, area.Width = shadow, 0
		name, err := plotter.NewLabels(plotter.XYLabels{
			XYs: plotter.XYs{{X: (phase.From + phase.Until) / 2, Y: most}}, Labels: []string{phase.Name},
		})
		if err != nil {
			return err
		}
		name.TextStyle[0].Font = sans(textSize)
		name.TextStyle[0].XAlign, name.TextStyle[0].YAlign = draw.XCenter, draw.YTop
		name.Offset.Y = -3
		p.Add(area, name)
	}
	return nil
}

// panels of throughput and of latency, over the same numbers of connections.
func (c *Connections) panels() ([]*panel, error) {
	const x = "connections that ask at a time"
	upper, lower := newPanel("Throughput", x, "pages a second"), newPanel("Mean latency", x, "latency (ms)")
	var problems []error
	var asked []Rate
	least, most := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{}
	for order, column := range c.Columns {
		var connections []int
		var rates []Rate
		var means []Spread
		for _, point := range column.Points {
			connections = append(connections, point.Connections)
			rates, means = append(rates, point.PerSecond), append(means, point.Mean)
			for i, spread := range []Spread{point.PerSecond.Spread, point.Mean} {
				least[i], most[i] = min(least[i], spread.Least), max(most[i], spread.Most)
			}
		}
		problems = append(problems, upper.spreads(column.Name, order, connections, spreads(rates)), lower.spreads(column.Name, order, connections, means))
		asked = append(asked, rates...)
		for _, panel := range []*panel{upper, lower} {
			panel.X.Scale, panel.X.Tick.Marker = plot.LogScale{}, at(connections)
		}
	}
	upper.title += ": " + failures(asked)
	for i, panel := range []*panel{upper, lower} {
		problems = append(problems, panel.logarithmic(least[i], most[i]))
	}
	return []*panel{upper, lower}, errors.Join(problems...)
}
