// A client in a closed loop over kept-alive connections, as Vault's command line and Go library make them: net/http,
// HTTP/2 where TLS offers it, unless told otherwise. It writes a number and reads it back, and never repeats a request itself.
//
// Usage: go run loop.go URL CA_FILE SERVER_NAME NAME [http1], with the token in BENCH_TOKEN; ends when standard input does.
// Prints one JSON object a line for each exchange: op, number, begun and ended (Unix time in seconds), status (0: no
// whole answer), said.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type exchange struct {
	Op     string  `json:"op"`
	Number int     `json:"number"`
	Begun  float64 `json:"begun"`
	Ended  float64 `json:"ended"`
	Status int     `json:"status"`
	Said   string  `json:"said"`
}

func seconds(at time.Time) float64 { return float64(at.UnixNano()) / 1e9 }

func call(client *http.Client, method, url string, body []byte) (exchange, []byte) {
	begun := time.Now()
	out := exchange{Begun: seconds(begun)}
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("X-Vault-Token", os.Getenv("BENCH_TOKEN"))
	response, err := client.Do(request)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	out.Ended = seconds(time.Now())
	if err != nil {
		out.Said = err.Error()
		return out, nil
	}
	out.Status = response.StatusCode
	if out.Status >= 300 {
		out.Said = string(text)
	}
	return out, text
}

func numberIn(text []byte) int {
	var answer struct {
		Data struct {
			Data struct {
				Number int `json:"number"`
			} `json:"data"`
		} `json:"data"`
	}
	if json.Unmarshal(text, &answer) != nil {
		return 0
	}
	return answer.Data.Data.Number
}

func main() {
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: os.Args[3]}
	if len(os.Args) > 5 && os.Args[5] == "http1" {
		transport.ForceAttemptHTTP2 = false
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	url := os.Args[1] + "/v1/secret/data/" + os.Args[4]
	ended := make(chan bool)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	out := json.NewEncoder(os.Stdout)
	for acknowledged := 0; ; {
		select {
		case <-ended:
			return
		default:
		}
		number := acknowledged + 1
		wrote, _ := call(client, "POST", url, []byte(fmt.Sprintf(`{"data":{"number":%d}}`, number)))
		wrote.Op, wrote.Number = "write", number
		if wrote.Status == 200 {
			acknowledged = number
		}
		out.Encode(wrote)
		read, text := call(client, "GET", url, nil)
		read.Op, read.Number = "read", numberIn(text)
		out.Encode(read)
	}
}
