// Minimises Rosenbrock's function with gradd, with Go's standard library.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"strings"
)

// The function is stored once, as text. The annotation says what x is: two doubles.
const source = `
def rosenbrock(x: float64[2]):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
`

func send(method, url, kind string, body io.Reader) *http.Response {
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	if answer.StatusCode >= 400 {
		text, _ := io.ReadAll(answer.Body)
		log.Fatalf("%s %s: %s %s", method, url, answer.Status, text)
	}
	return answer
}

// What POST …/gradient takes and answers.
type point struct {
	Inputs map[string][]float64 `json:"inputs"`
}
type slope struct {
	Value     float64
	Gradients map[string][]float64
}

// gradient asks for the value at x, and the gradient there.
func gradient(url string, x []float64) (float64, []float64) {
	body, _ := json.Marshal(point{map[string][]float64{"x": x}})
	answer := send("POST", url+"/gradient", "application/json", bytes.NewReader(body))
	defer answer.Body.Close()
	var s slope
	if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
		log.Fatal(err)
	}
	return s.Value, s.Gradients["x"]
}

func distance(a, b []float64) float64 { return math.Hypot(a[0]-b[0], a[1]-b[1]) }

func main() {
	base := os.Getenv("GRADD_URL")
	if base == "" {
		base = "http://127.0.0.1:4242"
	}
	url := base + "/v1/functions/rosenbrock_go"
	send("PUT", url, "text/plain", strings.NewReader(source)).Body.Close()

	x, step := []float64{-1.2, 1}, 0.001
	value, g := gradient(url, x)
	for math.Hypot(g[0], g[1]) > 1e-8 {
		lastX, lastG := x, g
		x = []float64{x[0] - step*g[0], x[1] - step*g[1]}
		value, g = gradient(url, x)
		step = distance(x, lastX) / distance(g, lastG) // how far the point moved for how far the gradient did
	}
	fmt.Printf("minimum f(%.6f, %.6f) = %.6f\n", x[0], x[1], value)
	send("DELETE", url, "text/plain", nil).Body.Close()
}
