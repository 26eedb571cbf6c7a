import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Minimises Rosenbrock's function with gradd, with the JDK alone (11 or later). */
public class Rosenbrock {
    static final String BASE = System.getenv().getOrDefault("GRADD_URL", "http://127.0.0.1:4242");
    static final String FUNCTION = BASE + "/v1/functions/rosenbrock_java";
    static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** The function is stored once, as text. The annotation says what x is: two doubles. */
    static final String SOURCE =
        "def rosenbrock(x: float64[2]):\n"
            + "    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2\n";

    /** The answer to a gradient; the JDK has no JSON, and its shape is known: {"value":24.2,"gradients":{"x":[-215.6,-88.0]}}. */
    static final Pattern ANSWER = Pattern.compile("\"value\":([^,}]+).*\"x\":\\[([^,]+),([^\\]]+)\\]");

    static String send(String method, String url, String type, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).header("Content-Type", type)
            .method(method, HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() >= 400) throw new IllegalStateException(method + " " + url + ": " + answer.body());
        return answer.body();
    }

    /** The value at (a, b) and both parts of the gradient. */
    static double[] gradient(double a, double b) throws Exception {
        Matcher m = ANSWER.matcher(send("POST", FUNCTION + "/gradient", "application/json", "{\"inputs\":{\"x\":[" + a + "," + b + "]}}"));
        if (!m.find()) throw new IllegalStateException("no gradient came");
        return new double[] {Double.parseDouble(m.group(1)), Double.parseDouble(m.group(2)), Double.parseDouble(m.group(3))};
    }

    public static void main(String[] arguments) throws Exception {
        send("PUT", FUNCTION, "text/plain", SOURCE);
        double a = -1.2, b = 1, step = 0.001;
        double[] g = gradient(a, b);
        while (Math.hypot(g[1], g[2]) > 1e-8) {
            double nextA = a - step * g[1], nextB = b - step * g[2];
            double[] next = gradient(nextA, nextB);
            // how far the point moved for how far the gradient did
            step = Math.hypot(nextA - a, nextB - b) / Math.hypot(next[1] - g[1], next[2] - g[2]);
            a = nextA;
            b = nextB;
            g = next;
        }
        System.out.printf(Locale.ROOT, "minimum f(%.6f, %.6f) = %.6f%n", a, b, g[0]);
        send("DELETE", FUNCTION, "text/plain", "");
    }
}
