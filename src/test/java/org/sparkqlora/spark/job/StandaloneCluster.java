package org.sparkqlora.spark.job;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.deploy.master.Master;
import org.apache.spark.deploy.worker.Worker;
import org.sparkqlora.ChildArchive;
import org.sparkqlora.ChildJvm;

/**
 * Spark's own cluster manager: a master and workers of one core, each a process, on addresses of the loopback device. To Spark
 * each address is a host, so that a speculative copy finds another one.
 */
final class StandaloneCluster implements AutoCloseable {
    private static final String LOOPBACK = "127.0.0.";

    private final Path folder;
    private final int port;
    private final Process master;
    private final Map<Integer, Process> workers = new HashMap<>();

    private StandaloneCluster(Path folder, int port) {
        this.folder = folder;
        this.port = port;
        this.master = start(
                "master",
                Master.class,
                List.of("--host", LOOPBACK + 1, "--port", "" + port, "--webui-port", "" + freePort()));
    }

    /** A master whose processes write below {@code folder}; returns when it can be reached. */
    static StandaloneCluster in(Path folder) {
        StandaloneCluster cluster = new StandaloneCluster(folder, freePort());
        await("the master to listen").atMost(Clusters.LONGEST_WAIT).until(cluster::listens);
        return cluster;
    }

    String url() {
        return "spark://%s1:%d".formatted(LOOPBACK, port);
    }

    /** Adds a worker with an address that ends in {@code number}. */
    void addWorker(int number) {
        List<String> options = List.of(
                "--host",
                LOOPBACK + number,
                "--webui-port",
                "0",
                "--cores",
                "1",
                "--memory",
                "1g",
                "--work-dir",
                folder.resolve("worker-" + number).toString(),
                url());
        workers.put(number, start("worker-" + number, Worker.class, options));
    }

    /** As if the machine had gone: its worker, and with it the executors that it started, end at once. */
    void loseWorker(int number) {
        Process worker = Objects.requireNonNull(workers.remove(number), "no such worker");
        List<ProcessHandle> executors = worker.descendants().toList();
        worker.destroyForcibly();
        executors.forEach(ProcessHandle::destroyForcibly);
    }

    @Override
    public void close() {
        List.copyOf(workers.keySet()).forEach(this::loseWorker);
        master.destroyForcibly();
    }

    private Process start(String name, Class<?> main, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(ChildJvm.program());
        command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(Clusters.javaFlags());
        command.addAll(ChildArchive.flags());
        command.addAll(List.of("-cp", ChildArchive.classPath(), main.getName()));
        command.addAll(arguments);
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve(name + ".log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to start " + name, e);
        }
    }

    private boolean listens() {
        try (Socket connection = new Socket(LOOPBACK + 1, port)) {
            return connection.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to find a free port", e);
        }
    }
}
