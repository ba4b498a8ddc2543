package org.sparkqlora.cli;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.sql.connect.service.SparkConnectServer;
import org.sparkqlora.ChildJvm;

/**
 * A server of Spark Connect in a process of its own, on this machine alone. It gives up a client that is gone after seconds, and puts each
 * model aside that nobody uses.
 *
 * @param port where it listens
 * @param process of the server
 */
record ConnectServer(int port, Process process) implements AutoCloseable {
    private static final Duration LONGEST = Duration.ofMinutes(2);

    private static final Map<String, String> SETTINGS = Map.of(
            "spark.master",
            "local[2]",
            "spark.ui.enabled",
            "false",
            "spark.serializer",
            "org.apache.spark.serializer.KryoSerializer",
            "spark.kryo.registrator",
            "org.sparkqlora.spark.kryo.TrainRegistrator",
            "spark.connect.grpc.binding.address",
            "127.0.0.1",
            "spark.connect.execute.manager.detachedTimeout",
            "3s",
            "spark.connect.execute.manager.maintenanceInterval",
            "1s",
            "spark.connect.execute.reattachable.senderMaxStreamDuration",
            "3s",
            "spark.connect.progress.reportInterval", // a small fit ends within the 2 s that it is
            "100ms",
            "spark.connect.session.connectML.mlCache.memoryControl.maxInMemorySize",
            "1024");

    /** @param temporary folder of what it does not keep */
    static ConnectServer start(Path temporary, Path log) throws IOException {
        int port = free();
        Stream<String> own = Stream.of(
                "-Djava.io.tmpdir=" + temporary,
                "-Dspark.local.dir=" + temporary,
                "-Dspark.connect.grpc.binding.port=" + port);
        List<String> flags = Stream.concat(
                        own, SETTINGS.entrySet().stream().map(set -> "-D" + set.getKey() + "=" + set.getValue()))
                .toList();
        Process process = new ProcessBuilder(ChildJvm.command(flags, SparkConnectServer.class, List.of()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        ConnectServer server = new ConnectServer(port, process);
        try {
            server.awaitClients(log);
            return server;
        } catch (RuntimeException | Error e) {
            server.close();
            throw e;
        }
    }

    String address() {
        return "sc://127.0.0.1:" + port;
    }

    private void awaitClients(Path log) {
        await().atMost(LONGEST).until(() -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("Failed to start the server: " + Files.readString(log));
            }

            return listens();
        });
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    /** Lets it end as an administrator would. */
    @Override
    public void close() {
        process.destroy();
        try {
            process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.destroyForcibly();
        }
    }

    private static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
