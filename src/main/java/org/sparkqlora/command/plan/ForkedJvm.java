package org.sparkqlora.command.plan;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A JVM started as this one was: same flags, same code, same settings of Spark. The settings, which may hold secrets, go through its
 * standard input, since every user of the host can read a command line. Its input ends when this process does.
 */
public final class ForkedJvm implements AutoCloseable {
    private static final String SPARK = "spark.";

    private final Process process;

    private ForkedJvm(Process process) {
        this.process = process;
    }

    /**
     * Starts {@code main} in it, which calls {@link #begin} first.
     *
     * @param settings of Spark that replace those of this JVM
     */
    public static ForkedJvm start(Class<?> main, List<String> arguments, Map<String, String> settings)
            throws IOException {
        ForkedJvm child = new ForkedJvm(new ProcessBuilder(command(main, arguments)).start());
        byte[] told = sparkSettings(settings);
        DataOutputStream input = new DataOutputStream(child.process.getOutputStream());
        input.writeInt(told.length);
        input.write(told);
        input.flush();
        return child;
    }

    /**
     * In the JVM that was started: takes the settings.
     *
     * @param end what to do once the process that started this one has ended
     */
    public static void begin(Runnable end) {
        DataInputStream input = new DataInputStream(System.in);
        try {
            Properties settings = new Properties();
            settings.load(new ByteArrayInputStream(input.readNBytes(input.readInt())));
            settings.stringPropertyNames().forEach(name -> System.setProperty(name, settings.getProperty(name)));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Failed to read the settings of Spark from the process that started this", e);
        }

        Thread watch = new Thread(() -> awaitEnd(input, end), "parent-watch");
        watch.setDaemon(true);
        watch.start();
    }

    public Process process() {
        return process;
    }

    /** Ends it if it still runs. */
    @Override
    public void close() {
        process.destroy();
    }

    private static void awaitEnd(InputStream input, Runnable end) {
        try {
            input.transferTo(DataOutputStream.nullOutputStream());
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to watch the process that started this", e);
        }

        end.run();
    }

    private static List<String> command(Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> !argument.startsWith("-javaagent:") && !argument.startsWith("-agentlib:"))
                .filter(argument -> !argument.startsWith("-D" + SPARK))
                .forEach(command::add);
        command.add("-cp");
        command.add(ownCode() + System.getProperty("path.separator") + System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(arguments);
        return command;
    }

    /** spark-submit sets them in the process that it has already started. */
    private static byte[] sparkSettings(Map<String, String> replacing) throws IOException {
        Properties settings = new Properties();
        System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith(SPARK))
                .forEach(name -> settings.setProperty(name, System.getProperty(name)));
        settings.putAll(replacing);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        settings.store(bytes, null);
        return bytes.toByteArray();
    }

    /** The jar that spark-submit loads is not on Java's class path. */
    private static Path ownCode() {
        try {
            return Path.of(ForkedJvm.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot find the code of this program", e);
        }
    }
}
