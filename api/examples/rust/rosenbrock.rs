//! Minimises Rosenbrock's function with gradd, with Rust's standard library alone: a few lines of HTTP over a socket, and
//! of looking for numbers in the answer. A larger program would use crates for both.
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// The function is stored once, as text. The annotation says what x is: two doubles.
const SOURCE: &str = "
def rosenbrock(x: float64[2]):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
";
const PATH: &str = "/v1/functions/rosenbrock_rust";

/// One request on a connection of its own; the answer's body.
fn send(host: &str, method: &str, path: &str, kind: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(host)?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    match head.split(' ').nth(1) {
        Some(status) if status.starts_with('2') => Ok(body.to_string()),
        _ => Err(io::Error::new(io::ErrorKind::Other, format!("{method} {path}: {text}"))),
    }
}

/// The numbers that follow `mark` in the text, up to a bracket.
fn numbers(text: &str, mark: &str) -> Vec<f64> {
    let from = text.find(mark).map_or("", |at| &text[at + mark.len()..]);
    let to = from.find(|c: char| c == ']' || c == '}' || c == '"').unwrap_or(from.len());
    from[..to].split(',').filter_map(|v| v.trim().parse().ok()).collect()
}

/// The value at x, and the gradient there; the answer is {"value":24.2,"gradients":{"x":[-215.6,-88.0]}}.
fn gradient(host: &str, x: &[f64]) -> io::Result<(f64, Vec<f64>)> {
    let body = format!("{{\"inputs\":{{\"x\":[{},{}]}}}}", x[0], x[1]);
    let answer = send(host, "POST", &format!("{PATH}/gradient"), "application/json", &body)?;
    Ok((numbers(&answer, "\"value\":")[0], numbers(&answer, "\"x\":[")))
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn main() -> io::Result<()> {
    let url = std::env::var("GRADD_URL").unwrap_or("http://127.0.0.1:4242".into());
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    send(host, "PUT", PATH, "text/plain", SOURCE)?;

    let (mut x, mut step) = (vec![-1.2, 1.0], 0.001);
    let (mut value, mut g) = gradient(host, &x)?;
    while g[0].hypot(g[1]) > 1e-8 {
        let next: Vec<f64> = x.iter().zip(&g).map(|(v, d)| v - step * d).collect();
        let (next_value, next_g) = gradient(host, &next)?;
        step = distance(&next, &x) / distance(&next_g, &g); // how far the point moved for how far the gradient did
        (x, value, g) = (next, next_value, next_g);
    }
    println!("minimum f({:.6}, {:.6}) = {:.6}", x[0], x[1], value);
    send(host, "DELETE", PATH, "text/plain", "")?;
    Ok(())
}
