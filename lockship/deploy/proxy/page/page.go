// Package page is a Traefik plugin that answers every request with one page and the status 503.
//
// Traefik itself can't answer with a text of one's own without a server behind it. It runs this
// file as source (https://github.com/traefik/yaegi): nothing is compiled, and nothing is downloaded.
package page

import (
	"context"
	"net/http"
	"strconv"
)

// Config is a middleware's `plugin.page` in a route file. Message is for who reads that file.
type Config struct {
	Body       string `json:"body,omitempty"`
	Message    string `json:"message,omitempty"`
	RetryAfter int    `json:"retryAfter,omitempty"`
}

// CreateConfig returns the defaults: none.
func CreateConfig() *Config { return &Config{} }

type page struct{ config *Config }

// New makes the middleware; what it is put in front of is never asked.
func New(_ context.Context, _ http.Handler, config *Config, _ string) (http.Handler, error) {
	return &page{config}, nil
}

func (p *page) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	answer.Header().Set("Content-Type", "text/html; charset=utf-8")
	answer.Header().Set("Cache-Control", "no-store")
	answer.Header().Set("Retry-After", strconv.Itoa(p.config.RetryAfter))
	answer.WriteHeader(http.StatusServiceUnavailable)
	if request.Method != http.MethodHead {
		answer.Write([]byte(p.config.Body))
	}
}
