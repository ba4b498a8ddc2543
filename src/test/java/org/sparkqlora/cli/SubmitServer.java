package org.sparkqlora.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.sparkqlora.ChildJvm;
import org.sparkqlora.JsonValues;
import org.sparkqlora.options.Console;
import org.sparkqlora.options.Sessions;

/**
 * A process that runs command lines of {@code spark-submit} one after another, each in a session of its own: all but the first find classes
 * loaded and code compiled, which is two thirds of the time of a short command. {@code submit_client.py} stands for the script.
 *
 * @param home a folder as SPARK_HOME has it
 */
record SubmitServer(Process process, Path home) implements AutoCloseable {
    private static final Path CLIENT =
            Path.of("src", "test", "python", "submit_client.py").toAbsolutePath();
    private static final String OPTION = "--";

    /** With {@code folder} as its working directory. */
    static SubmitServer start(Path folder) throws IOException {
        Path home = Files.createDirectories(folder.resolve("spark-home"));
        Path script = Files.createDirectories(home.resolve("bin")).resolve("spark-submit");
        ProcessBuilder builder = new ProcessBuilder(ChildJvm.command(List.of(), SubmitServer.class, List.of()))
                .directory(folder.toFile())
                .redirectError(folder.resolve("submit-server.log").toFile());
        builder.environment().remove("SPARK_TESTING");
        Process process = builder.start();
        String port = process.inputReader(StandardCharsets.UTF_8).readLine();
        assertThat(port).as("the server's port").isNotNull();
        Files.writeString(script, "#!/bin/sh\nexec python '%s' %s \"$@\"\n".formatted(CLIENT, port));
        script.toFile().setExecutable(true);
        return new SubmitServer(process, home);
    }

    public static void main(String[] arguments) throws IOException {
        Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT); // as a command does in its own process
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            System.out.println(server.getLocalPort());
            while (true) {
                try (Socket socket = server.accept()) {
                    answer(socket);
                }
            }
        }
    }

    /** Reads words, each on a line of JSON, and writes the command's code, output and messages. */
    private static void answer(Socket socket) throws IOException {
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = run(JsonValues.list(lines.readLine()), print(out), print(err));
        socket.getOutputStream()
                .write(JsonValues.text(Map.of(
                                "code",
                                code,
                                "out",
                                out.toString(StandardCharsets.UTF_8),
                                "err",
                                err.toString(StandardCharsets.UTF_8)))
                        .getBytes(StandardCharsets.UTF_8));
    }

    private static int run(List<String> words, PrintStream out, PrintStream err) throws IOException {
        Properties settings = new Properties();
        int at = 0;
        for (; words.get(at).startsWith(OPTION); at += 2) {
            set(settings, words.get(at), words.get(at + 1));
        }

        List<String> command = new ArrayList<>(words.subList(at + 1, words.size())); // after the jar
        Properties before = (Properties) System.getProperties().clone();
        System.getProperties().putAll(settings);
        try {
            return Program.run(Console.log(out, err), command.toArray(String[]::new))
                    .code();
        } finally {
            Sessions.stop();
            System.setProperties(before);
        }
    }

    private static void set(Properties settings, String option, String value) throws IOException {
        switch (option) {
            case "--properties-file" -> {
                try (Reader file = Files.newBufferedReader(Path.of(value))) {
                    settings.load(file);
                }
            }
            case "--master" -> settings.setProperty("spark.master", value);
            case "--conf" -> {
                String[] pair = value.split("=", 2);
                settings.setProperty(pair[0], pair[1]);
            }
            default ->
                throw new IllegalArgumentException("Cannot take the option %s of spark-submit".formatted(option));
        }
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
