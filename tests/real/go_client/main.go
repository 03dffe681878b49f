// A flow of the official Go client library: write, read, list, wrap, look up, delete. Told by VAULT_* where and how.
// Prints one line for each step; ends with 1 and the library's own error where a step fails.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/vault/api"
)

func flow(client *api.Client, name string) error {
	ctx := context.Background()
	kv := client.KVv2("secret")
	if _, err := kv.Put(ctx, name, map[string]interface{}{"value": name}); err != nil {
		return fmt.Errorf("put: %w", err)
	}
	read, err := kv.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	if read.Data["value"] != name {
		return fmt.Errorf("get: read %v instead of %s", read.Data["value"], name)
	}
	listed, err := client.Logical().List("secret/metadata")
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if listed == nil || len(listed.Data["keys"].([]interface{})) == 0 {
		return fmt.Errorf("list: nothing")
	}
	if err := wrapAndUnwrap(client, name); err != nil {
		return err
	}
	if _, err := client.Auth().Token().LookupSelf(); err != nil {
		return fmt.Errorf("lookup: %w", err)
	}
	if err := kv.Delete(ctx, name); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

func wrapAndUnwrap(client *api.Client, name string) error {
	wrapping, err := client.Clone()
	if err != nil {
		return err
	}
	wrapping.SetToken(client.Token())
	wrapping.SetWrappingLookupFunc(func(string, string) string { return "60s" })
	wrapped, err := wrapping.Logical().Read("secret/data/" + name)
	if err != nil {
		return fmt.Errorf("wrap: %w", err)
	}
	inner, err := client.Logical().Unwrap(wrapped.WrapInfo.Token)
	if err != nil {
		return fmt.Errorf("unwrap: %w", err)
	}
	if inner.Data["data"].(map[string]interface{})["value"] != name {
		return fmt.Errorf("unwrap: %v", inner.Data)
	}
	return nil
}

func main() {
	client, err := api.NewClient(api.DefaultConfig())
	if err == nil {
		err = flow(client, os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ok")
}
