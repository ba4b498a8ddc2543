package org.sparkqlora.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.sparkqlora.MadeOnce;

/**
 * An S3 server on this machine: moto, in a Python environment with pinned packages, which is made once and kept in the user's
 * cache.
 */
final class MotoServer implements AutoCloseable {
    private static final String REQUIREMENTS = "/moto/requirements.txt";
    private static final String READY = " * Running on ";

    private final Process process;
    private final String url;

    private MotoServer(Process process, String url) {
        this.process = process;
        this.url = url;
    }

    static MotoServer start() {
        try {
            Process process = new ProcessBuilder(
                            python().toString(), "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
                    .redirectErrorStream(true)
                    .start();
            return new MotoServer(process, readyUrl(process));
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to start moto", e);
        }
    }

    String url() {
        return url;
    }

    void createBucket(String name) {
        try {
            HttpURLConnection request =
                    (HttpURLConnection) URI.create(url + "/" + name).toURL().openConnection();
            request.setRequestMethod("PUT");
            if (request.getResponseCode() != HttpURLConnection.HTTP_OK) {
                throw new IOException("found code " + request.getResponseCode());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to create bucket " + name, e);
        }
    }

    @Override
    public void close() {
        process.destroy();
    }

    /** Reads what the server says, to its end, so that it never waits for a reader. */
    private static String readyUrl(Process process) {
        CompletableFuture<String> url = new CompletableFuture<>();
        Thread reader = new Thread(() -> {
            try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
                lines.lines()
                        .filter(line -> line.startsWith(READY))
                        .forEach(line ->
                                url.complete(line.substring(READY.length()).strip()));
            } catch (IOException | UncheckedIOException e) {
                url.completeExceptionally(e);
            }

            url.completeExceptionally(new IllegalStateException("Cannot use moto: it ended before it was ready"));
        });
        reader.setDaemon(true);
        reader.start();
        return url.orTimeout(2, TimeUnit.MINUTES).join();
    }

    private static Path python() throws IOException {
        byte[] requirements = requirements();
        Path environment = MadeOnce.CACHE.resolve("moto-" + UUID.nameUUIDFromBytes(requirements));
        if (!Files.exists(environment)) {
            make(environment, requirements);
        }

        return environment.resolve("bin/python");
    }

    private static void make(Path environment, byte[] requirements) throws IOException {
        Files.createDirectories(MadeOnce.CACHE);
        Path fresh = Files.createTempDirectory(MadeOnce.CACHE, "unfinished-");
        Path list = Files.write(fresh.resolve("requirements.txt"), requirements);
        run("python3", "-m", "venv", fresh.toString());
        run(fresh.resolve("bin/python").toString(), "-m", "pip", "install", "-q", "--no-deps", "-r", list.toString());
        Folders.publish(fresh, environment);
    }

    private static void run(String... command) throws IOException {
        try {
            int code = new ProcessBuilder(command).inheritIO().start().waitFor();
            if (code != 0) {
                throw new IOException("Failed to run %s: code %d".formatted(List.of(command), code));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Failed to run " + command[0], e);
        }
    }

    private static byte[] requirements() throws IOException {
        try (InputStream in = Objects.requireNonNull(MotoServer.class.getResourceAsStream(REQUIREMENTS))) {
            return in.readAllBytes();
        }
    }
}
