package main

import (
	"flag"
	"log"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// allocate takes memory in steps and touches every page, until it has enough or the kernel ends it.
func allocate(arguments []string) {
	flags := flag.NewFlagSet("allocate", flag.ExitOnError)
	total := flags.Int("mb", 64, "megabytes to take")
	step := flags.Int("step", 10, "megabytes at a time")
	_ = flags.Parse(arguments)
	kept := [][]byte{}
	for taken := 0; taken < *total; taken += *step {
		block := make([]byte, *step<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		kept = append(kept, block)
		log.Printf("cache: %d MB loaded", taken+*step)
		time.Sleep(50 * time.Millisecond)
	}
	idle()
	log.Printf("released %d blocks", len(kept))
}

func burn([]string) {
	log.Print("computing")
	for i := 0; ; i++ {
		_ = i * i
	}
}

type order struct {
	items []string
	next  *order
}

func panicNow([]string) {
	incoming := order{items: []string{}}
	log.Print("processing order queue")
	log.Print(incoming.items[len(os.Args)])
}

func nilPointer([]string) {
	var incoming *order
	log.Print("processing order queue")
	log.Print(incoming.next.items)
}

func deadlock([]string) {
	log.Print("waiting for workers")
	var workers sync.WaitGroup
	workers.Add(1)
	workers.Wait()
}

func exit(arguments []string) {
	flags := flag.NewFlagSet("exit", flag.ExitOnError)
	code := flags.Int("code", 1, "exit code")
	after := flags.Duration("after", 0, "time to run before")
	_ = flags.Parse(arguments)
	time.Sleep(*after)
	os.Exit(*code)
}

// abort runs itself as a worker whose crash ends in SIGABRT, and passes its end on as a shell does: the first process of a
// container cannot be ended by a signal that it sends itself.
func abort([]string) {
	worker := exec.Command("/proc/self/exe", "panic")
	worker.Env = append(os.Environ(), "GOTRACEBACK=crash")
	worker.Stdout, worker.Stderr = os.Stdout, os.Stderr
	err := worker.Run()
	log.Printf("worker ended: %v", err)
	if status, ok := worker.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		os.Exit(128 + int(status.Signal()))
	}
}

// segv reads address 0 without the handler that turns this into a panic, as programs in C do.
func segv([]string) {
	log.Print("processing order queue")
	standard := [4]uintptr{}
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGSEGV), uintptr(unsafe.Pointer(&standard)), 0, 8, 0, 0)
	var incoming *order
	log.Print(incoming.next.items)
}

// leakFiles opens sockets and never closes them, with a limit as small as badly configured services have.
func leakFiles([]string) {
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		log.Fatalf("setrlimit: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	kept := []net.Conn{}
	for {
		connection, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			log.Fatalf("cannot serve request %d: %v", len(kept), err)
		}
		kept = append(kept, connection)
	}
}

// leakGoroutines starts threads that never end, until the system refuses another one.
func leakGoroutines([]string) {
	log.Print("starting workers")
	for {
		go func() {
			fds := make([]int, 2)
			if err := syscall.Pipe(fds); err != nil {
				select {}
			}
			_, _ = syscall.Read(fds[0], make([]byte, 1))
		}()
		time.Sleep(time.Millisecond)
	}
}
