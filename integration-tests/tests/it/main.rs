//! Black-box tests against a real Envoy. One binary: the tests share one stack.
