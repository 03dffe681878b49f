module bellwether/tests/real/go_client

go 1.21
