package org.sparkqlora.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** EMR and S3 as moto serves them, where the steps of clusters really run on this machine. */
final class EmrServer implements AutoCloseable {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Path SCRIPT = Path.of("src", "test", "python", "run_emr.py");
    private static final Path CLUSTER = Path.of("deploy", "emr", "cluster-cpu.json");
    /** Of somebody who may read; moto does not check the signature itself. */
    private static final String SIGNED =
            "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none";

    private static final Pattern KEY = Pattern.compile("<Key>([^<]*)</Key>");

    private final Process process;
    private final BufferedReader out;
    private final JsonNode ready;

    private EmrServer(Process process) throws IOException {
        this.process = process;
        this.out = process.inputReader(StandardCharsets.UTF_8);
        this.ready = MAPPER.readTree(out.readLine());
    }

    /**
     * Starts a cluster and an application.
     *
     * @param bucket files of {@code s3://bucket} at the start
     * @param variables of the environment of its steps
     */
    static EmrServer start(Path bucket, Map<String, String> variables, Path log)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                        Airflow.environment().program("python").toString(),
                        SCRIPT.toString(),
                        bucket.toString(),
                        CLUSTER.toString())
                .redirectError(log.toFile());
        builder.environment().putAll(variables);
        builder.environment().remove("GLIBC_TUNABLES"); // meant for the JVM
        builder.environment().remove("SPARK_TESTING"); // meant for clusters inside of it
        return new EmrServer(builder.start());
    }

    String url() {
        return ready.path("endpoint").asText();
    }

    String cluster() {
        return ready.path("cluster").asText();
    }

    String application() {
        return ready.path("application").asText();
    }

    /** Keys of the bucket that begin so. */
    List<String> keys(String prefix) throws IOException, InterruptedException {
        String listing = new String(get("bucket?list-type=2&prefix=" + prefix), StandardCharsets.UTF_8);
        List<String> keys = new ArrayList<>();
        Matcher matcher = KEY.matcher(listing);
        while (matcher.find()) {
            keys.add(matcher.group(1));
        }

        return keys;
    }

    byte[] bytes(String key) throws IOException, InterruptedException {
        return get("bucket/" + key);
    }

    /** The jobs that EMR Serverless was given. */
    JsonNode serverlessJobs() throws IOException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
        return MAPPER.readTree(out.readLine());
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private byte[] get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + "/" + path))
                .header("Authorization", SIGNED)
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofByteArray())
                .body();
    }
}
