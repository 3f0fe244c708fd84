package plots

import (
	"bytes"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	xfont "golang.org/x/image/font"
)

// Sizes in points.
const (
	width       = 640
	panelHeight = 260
	// headHeight is that of a panel's title and legend, which stand above it, so that they cover nothing that was measured.
	headHeight = 40
	edge       = 8

	titleSize = 12
	textSize  = 10
	// sampleWidth of a line in the legend.
	sampleWidth = 22
)

// Colours that people with any colour vision can tell apart, by Okabe and Ito. Lines also differ in their dashes or their points.
var (
	blue   = color.NRGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}
	red    = color.NRGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}
	green  = color.NRGBA{R: 0x00, G: 0x9e, B: 0x73, A: 0xff}
	grey   = color.NRGBA{R: 0xdd, G: 0xdd, B: 0xdd, A: 0xff}
	shadow = color.NRGBA{R: 0xee, G: 0xee, B: 0xf4, A: 0xff}
)

// look of a series.
type look struct {
	color  color.Color
	dashes []vg.Length
	point  draw.GlyphDrawer
}

// looks of series in their order in a panel.
var looks = []look{
	{color: blue, point: draw.CircleGlyph{}},
	{color: red, point: draw.BoxGlyph{}, dashes: []vg.Length{5, 2}},
	{color: green, point: draw.PyramidGlyph{}, dashes: []vg.Length{1.5, 2}},
}

// panel is a plot with its title and legend above it.
type panel struct {
	*plot.Plot
	title  string
	legend []entry
}

// entry of a legend.
type entry struct {
	name    string
	samples []plot.Thumbnailer
}

func newPanel(title, x, y string) *panel {
	p := &panel{Plot: plot.New(), title: title}
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(textSize)
		axis.Tick.Label.Font = sans(textSize)
		axis.Padding = 0
	}
	p.Y.Tick.Marker = plain{}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = grey, grey
	p.Add(grid)
	return p
}

// sans is a font of the measures of Arial and Helvetica.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// logarithmic shows decades from the one of the least value to the one of the most, and room for a text above.
func (p *panel) logarithmic(least, most float64) error {
	if !(least > 0 && most >= least && !math.IsInf(most, 1)) {
		return fmt.Errorf("%s: there are no decades from %g to %g", p.title, least, most)
	}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades{}
	p.Y.Min, p.Y.Max = math.Pow(10, math.Floor(math.Log10(least))), math.Pow(10, math.Ceil(math.Log10(most)))
	return nil
}

// decades marks each power of ten.
type decades struct{}

// Ticks implements plot.Ticker.
func (decades) Ticks(least, most float64) (ticks []plot.Tick) {
	for power := math.Ceil(math.Log10(least) - 1e-9); power <= math.Log10(most)+1e-9; power++ {
		value := math.Pow(10, power)
		ticks = append(ticks, plot.Tick{Value: value, Label: fmt.Sprintf("%g", value)})
		for step := 2.0; step < 10 && value*step <= most; step++ {
			ticks = append(ticks, plot.Tick{Value: value * step})
		}
	}
	return ticks
}

// plain marks round numbers, without decimals that say nothing.
type plain struct{}

// Ticks implements plot.Ticker.
func (plain) Ticks(least, most float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(least, most)
	for i, tick := range ticks {
		if tick.Label != "" {
			ticks[i].Label = fmt.Sprintf("%g", tick.Value)
		}
	}
	return ticks
}

// at marks values with themselves.
func at(values []int) plot.ConstantTicks {
	ticks := make(plot.ConstantTicks, 0, len(values))
	for _, value := range values {
		ticks = append(ticks, plot.Tick{Value: float64(value), Label: fmt.Sprint(value)})
	}
	return ticks
}

// line adds a series without points, and shows it in the legend. It is broken where x leaves one out.
func (p *panel) line(name string, order int, x []int, y []float64) error {
	if len(x) != len(y) {
		return fmt.Errorf("%s: %d values for %d seconds", name, len(y), len(x))
	}
	var piece plotter.XYs
	var first *plotter.Line
	for i := range x {
		piece = append(piece, plotter.XY{X: float64(x[i]), Y: y[i]})
		if i+1 < len(x) && x[i+1] == x[i]+1 {
			continue
		}
		drawn, err := plotter.NewLine(piece)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		drawn.Color, drawn.Dashes, drawn.Width = looks[order].color, looks[order].dashes, 1.2
		p.Add(drawn)
		if first == nil {
			first = drawn
		}
		piece = nil
	}
	if first != nil {
		p.legend = append(p.legend, entry{name, []plot.Thumbnailer{first}})
	}
	return nil
}

// spreads adds a series of medians joined by lines, with bars from the least to the most, and shows it in the legend.
func (p *panel) spreads(name string, order int, x []int, y []Spread) error {
	if len(x) == 0 {
		return fmt.Errorf("%s: nothing was measured", name)
	}
	values := ranges{}
	for i := range x {
		values.XYs = append(values.XYs, plotter.XY{X: float64(x[i]), Y: y[i].Median})
		values.YErrors = append(values.YErrors, struct{ Low, High float64 }{y[i].Median - y[i].Least, y[i].Most - y[i].Median})
	}
	joined, points, err := plotter.NewLinePoints(values.XYs)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	bars, err := plotter.NewYErrorBars(values)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	look := looks[order]
	joined.Color, joined.Dashes, joined.Width = look.color, look.dashes, 1.2
	points.Color, points.Shape, points.Radius = look.color, look.point, 3
	bars.Color, bars.Width, bars.CapWidth = look.color, 1, 6
	p.Add(joined, points, bars)
	p.legend = append(p.legend, entry{name, []plot.Thumbnailer{joined, points}})
	return nil
}

// ranges are points with how far the least and the most are from them.
type ranges struct {
	plotter.XYs
	plotter.YErrors
}

// picture has panels one above the other, with their axes in line.
func picture(panels []*panel) ([]byte, error) {
	canvas := vgsvg.New(width, vg.Length(len(panels)*(panelHeight+headHeight)+edge))
	drawPanels(draw.New(canvas), panels)
	var file bytes.Buffer
	if _, err := canvas.WriteTo(&file); err != nil {
		return nil, err
	}
	// Where the font is not installed, others of its measures are.
	return bytes.ReplaceAll(file.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;")), nil
}

func drawPanels(canvas draw.Canvas, panels []*panel) {
	canvas.SetColor(color.White)
	canvas.Fill(canvas.Path())
	rows := make([][]*plot.Plot, 0, len(panels))
	for _, panel := range panels {
		rows = append(rows, []*plot.Plot{panel.Plot})
	}
	tiles := plot.Align(rows, draw.Tiles{
		Rows: len(rows), Cols: 1, PadTop: headHeight, PadY: headHeight, PadBottom: edge, PadLeft: edge, PadRight: 2 * edge,
	}, canvas)
	for i, panel := range panels {
		tile := tiles[i][0]
		panel.Draw(tile)
		data := panel.DataCanvas(tile)
		panel.drawHead(canvas, vg.Point{X: data.Min.X, Y: tile.Max.Y})
	}
}

// drawHead writes the title and, below it, the legend in a row, above a point.
func (p *panel) drawHead(canvas draw.Canvas, corner vg.Point) {
	style := p.Legend.TextStyle
	style.Color, style.Font = color.Black, sans(titleSize)
	style.Font.Weight = xfont.WeightBold
	canvas.FillText(style, vg.Point{X: corner.X, Y: corner.Y + 22}, p.title)
	style.Font = sans(textSize)
	x, y := corner.X, corner.Y+6
	for _, entry := range p.legend {
		sample := draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + sampleWidth, Y: y + textSize*0.7},
		}}
		for _, one := range entry.samples {
			one.Thumbnail(&sample)
		}
		canvas.FillText(style, vg.Point{X: x + sampleWidth + 5, Y: y}, entry.name)
		x += sampleWidth + 5 + style.Width(entry.name) + 26
	}
}
