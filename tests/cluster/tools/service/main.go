// A small service that fails the way real Go services do: every error text comes from the standard library.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sort"
	"strings"
	"syscall"
	"time"
)

var modes = map[string]func([]string){
	"serve": serve, "listen-twice": listenTwice,
	"connect": connect, "http": getURL, "api": api,
	"require-env": requireEnv, "require-file": requireFile, "read-json": readJSON, "write": write,
	"allocate": allocate, "burn": burn, "panic": panicNow, "nil": nilPointer, "deadlock": deadlock,
	"exit": exit, "abort": abort, "segv": segv, "leak-fds": leakFiles, "leak-goroutines": leakGoroutines,
	"sleep": func([]string) { idle() }, "panic-on-term": panicOnTerm,
}

func main() {
	log.SetOutput(os.Stderr)
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		names := []string{}
		for name := range modes {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "usage: service %s\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	modes[os.Args[1]](os.Args[2:])
}

// words takes the arguments that are not flags from the front; the flag package wants the flags first.
func words(arguments []string) (plain, flags []string) {
	for i, argument := range arguments {
		if strings.HasPrefix(argument, "-") {
			return arguments[:i], arguments[i:]
		}
	}
	return arguments, nil
}

func one(arguments []string, what string) string {
	plain, _ := words(arguments)
	if len(plain) != 1 {
		log.Fatalf("wants exactly one argument: %s", what)
	}
	return plain[0]
}

// idle waits for the signal that ends a well-behaved service.
func idle() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	log.Printf("received %v, shutting down", <-stop)
}

func requireEnv(names []string) {
	for _, name := range names {
		if os.Getenv(name) == "" {
			log.Fatalf("config: required environment variable %s is not set", name)
		}
	}
	log.Printf("config: %d variables read", len(names))
	idle()
}

func requireFile(arguments []string) {
	path := one(arguments, "PATH")
	data, err := os.ReadFile(path)
	if err != nil {
		log.Fatalf("cannot load config: %v", err)
	}
	log.Printf("config: %d bytes read from %s", len(data), path)
	idle()
}

func readJSON(arguments []string) {
	path := one(arguments, "PATH")
	file, err := os.Open(path)
	if err != nil {
		log.Fatalf("cannot load config: %v", err)
	}
	var content map[string]any
	if err := json.NewDecoder(file).Decode(&content); err != nil {
		log.Fatalf("cannot parse config %s: %v", path, err)
	}
	log.Printf("config: %d keys read from %s", len(content), path)
	idle()
}

func write(arguments []string) {
	path := one(arguments, "PATH")
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatalf("cannot open data file: %v", err)
	}
	block := []byte(strings.Repeat("x", 1<<20))
	for written := 0; ; written++ {
		if _, err := file.Write(block); err != nil {
			log.Fatalf("cannot write data after %d MB: %v", written, err)
		}
		if written < 8 {
			log.Printf("wrote %d MB to %s", written+1, path)
		}
		if written == 127 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	idle()
}

func panicOnTerm([]string) {
	signal.Ignore(syscall.SIGTERM)
	log.Print("draining takes an hour")
	time.Sleep(time.Hour)
}
