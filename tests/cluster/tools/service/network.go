package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"flag"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

// serve answers on one path: later, slowly, with another status, over TLS, or not while a file exists.
func serve(arguments []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	port := flags.String("port", "8080", "port")
	bind := flags.String("bind", "0.0.0.0", "address")
	secure := flags.Bool("tls", false, "serve TLS with a certificate of its own")
	path := flags.String("path", "/healthz", "path that answers with --status")
	status := flags.Int("status", 200, "status of that path")
	after := flags.Duration("after", 0, "time before it listens")
	slow := flags.Duration("slow", 0, "time an answer takes")
	unready := flags.String("not-ready-file", "", "503 while this file exists")
	_ = flags.Parse(arguments)
	if *after > 0 {
		log.Printf("warming up for %v", *after)
		time.Sleep(*after)
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		time.Sleep(*slow)
		if _, err := os.Stat(*unready); *unready != "" && err == nil {
			http.Error(answer, "not ready", http.StatusServiceUnavailable)
			return
		}
		if request.URL.Path != *path {
			http.NotFound(answer, request)
			return
		}
		if *status >= 500 {
			log.Printf("%s %s: %d", request.Method, request.URL.Path, *status)
		}
		answer.WriteHeader(*status)
		_, _ = io.WriteString(answer, http.StatusText(*status)+"\n")
	})
	listener, err := net.Listen("tcp", net.JoinHostPort(*bind, *port))
	if err != nil {
		log.Fatalf("cannot start server: %v", err)
	}
	log.Printf("listening on %s", listener.Addr())
	go func() {
		server := &http.Server{TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate()}}}
		if *secure {
			log.Fatal(server.ServeTLS(listener, "", ""))
		}
		log.Fatal(server.Serve(listener))
	}()
	idle()
}

func listenTwice(arguments []string) {
	address := ":" + one(arguments, "PORT")
	if _, err := net.Listen("tcp", address); err != nil {
		log.Fatalf("cannot start server: %v", err)
	}
	log.Printf("admin server listening on %s", address)
	if _, err := net.Listen("tcp", address); err != nil {
		log.Fatalf("cannot start server: %v", err)
	}
}

// certificate is a fresh one that signs itself, for the names that development certificates carry.
func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// attempt repeats a call and logs how it ends; with --exit the first error ends the program.
type attempt struct {
	once, exit bool
	every      time.Duration
}

func (a *attempt) flags(set *flag.FlagSet) {
	set.BoolVar(&a.once, "once", false, "one attempt only")
	set.BoolVar(&a.exit, "exit", false, "end with the first error")
	set.DurationVar(&a.every, "every", 3*time.Second, "time between attempts")
}

func (a *attempt) run(what string, call func() (string, error)) {
	for {
		answer, err := call()
		switch {
		case err != nil && a.exit:
			log.Fatalf("cannot %s: %v", what, err)
		case err != nil:
			log.Printf("cannot %s: %v", what, err)
		default:
			log.Printf("%s: %s", what, answer)
		}
		if a.once {
			idle()
			return
		}
		time.Sleep(a.every)
	}
}

func connect(arguments []string) {
	flags := flag.NewFlagSet("connect", flag.ExitOnError)
	to := flags.String("to", "", "HOST:PORT")
	secure := flags.Bool("tls", false, "with TLS")
	how := attempt{}
	how.flags(flags)
	_ = flags.Parse(arguments)
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	how.run("connect to "+*to, func() (string, error) {
		var connection net.Conn
		var err error
		if *secure {
			connection, err = tls.DialWithDialer(dialer, "tcp", *to, nil)
		} else {
			connection, err = dialer.Dial("tcp", *to)
		}
		if err != nil {
			return "", err
		}
		defer connection.Close()
		return "connected to " + connection.RemoteAddr().String(), nil
	})
}

func getURL(arguments []string) {
	flags := flag.NewFlagSet("http", flag.ExitOnError)
	url := flags.String("url", "", "URL")
	how := attempt{}
	how.flags(flags)
	_ = flags.Parse(arguments)
	client := &http.Client{Timeout: 5 * time.Second}
	how.run("fetch "+*url, func() (string, error) {
		return status(client.Get(*url))
	})
}

// api asks the API server with the service account of the pod, as a client in a cluster does.
func api(arguments []string) {
	flags := flag.NewFlagSet("api", flag.ExitOnError)
	path := flags.String("get", "/version", "path")
	how := attempt{}
	how.flags(flags)
	_ = flags.Parse(arguments)
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		log.Fatalf("no service account: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	server := "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	how.run("GET "+*path, func() (string, error) {
		token, err := os.ReadFile(account + "token")
		if err != nil {
			return "", err
		}
		request, err := http.NewRequest(http.MethodGet, server+*path, nil)
		if err != nil {
			return "", err
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		return status(client.Do(request))
	})
}

// status turns an answer that is no success into an error that carries what the server said.
func status(response *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 2000))
	if err != nil {
		return "", err
	}
	if response.StatusCode >= 400 {
		return "", &refusal{response.Status, strings.TrimSpace(string(body))}
	}
	return response.Status, nil
}

type refusal struct{ status, said string }

func (r *refusal) Error() string { return "unexpected status " + r.status + ": " + r.said }
