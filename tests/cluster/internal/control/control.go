// Package control is the supervisor's command interface: HTTP over a Unix socket.
package control

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Event is one line of the stream that GET /progress answers with. The last one has Ready or Error set.
type Event struct {
	// Message says what has just happened.
	Message string `json:"message,omitempty"`
	// After is the time since the supervisor's start.
	After time.Duration `json:"after"`
	Ready bool          `json:"ready,omitempty"`
	// Error is why the cluster cannot become ready.
	Error string `json:"error,omitempty"`
}

// Status is the answer to GET /status.
type Status struct {
	Ready   bool      `json:"ready"`
	Error   string    `json:"error,omitempty"`
	Started time.Time `json:"started"`
	Nodes   []Node    `json:"nodes"`
}

// Node is one node of Status.
type Node struct {
	Name string `json:"name"`
	IP   string `json:"ip"`
	// Running says whether its processes run; whether it is Ready is for the API server to say.
	Running bool `json:"running"`
	// PID is its first process's number inside the supervisor's process namespace, 0 when it does not run.
	PID int `json:"pid,omitempty"`
}

// Supervisor is what the interface commands.
type Supervisor interface {
	Status() Status
	// Progress returns all events from the first on, and is closed after the last.
	Progress(done <-chan struct{}) <-chan Event
	KillNode(n int) error
	StartNode(n int) error
	// LoadImages imports the images that the nodes do not have yet or that have changed.
	LoadImages() error
	Stop()
}

// Handler serves the interface.
func Handler(s Supervisor) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Status())
	})
	mux.HandleFunc("GET /progress", func(w http.ResponseWriter, r *http.Request) { stream(w, r, s) })
	mux.HandleFunc("POST /nodes/{n}/kill", onNode(s.KillNode))
	mux.HandleFunc("POST /nodes/{n}/start", onNode(s.StartNode))
	mux.HandleFunc("POST /images", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.LoadImages()) })
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		s.Stop()
	})
	return mux
}

func stream(w http.ResponseWriter, r *http.Request, s Supervisor) {
	encoder := json.NewEncoder(w)
	for event := range s.Progress(r.Context().Done()) {
		if err := encoder.Encode(event); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

func onNode(do func(int) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err == nil {
			err = do(n)
		}
		answer(w, err)
	}
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
