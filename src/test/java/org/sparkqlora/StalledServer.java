package org.sparkqlora;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A server on loopback that says one thing on every connection, and then nothing more: it neither goes on nor hangs up. */
public final class StalledServer implements AutoCloseable {
    private final ServerSocket socket;
    private final byte[] words;
    private final List<Socket> connections = Collections.synchronizedList(new ArrayList<>());

    private StalledServer(String words) throws IOException {
        this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.words = words.getBytes(StandardCharsets.ISO_8859_1);
        Thread thread = new Thread(this::serve, "stalled server");
        thread.setDaemon(true);
        thread.start();
    }

    /** One that takes connections and is silent. */
    public static StalledServer silent() throws IOException {
        return new StalledServer("");
    }

    /** One that sends the head of an answer and only the beginning of its body. */
    public static StalledServer afterHalfOf(String body) throws IOException {
        return new StalledServer("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(body.length(), body.substring(0, body.length() / 2)));
    }

    public String address() {
        return "http://127.0.0.1:" + socket.getLocalPort();
    }

    /** The number of requests that came. */
    public int connections() {
        return connections.size();
    }

    @Override
    public void close() throws IOException {
        socket.close();
        for (Socket connection : List.copyOf(connections)) {
            connection.close();
        }
    }

    private void serve() {
        while (!socket.isClosed()) {
            try {
                Socket connection = socket.accept();
                connections.add(connection);
                hearHead(connection.getInputStream());
                OutputStream out = connection.getOutputStream();
                out.write(words);
                out.flush();
            } catch (IOException e) {
                requireClosed(e);
            }
        }
    }

    /** A request's lines, up to the empty one. */
    private static void hearHead(InputStream in) throws IOException {
        int ends = 0;
        for (int next = in.read(); next >= 0 && ends < 2; next = in.read()) {
            ends = next == '\n' ? ends + 1 : next == '\r' ? ends : 0;
            if (ends == 2) {
                return;
            }
        }
    }

    private void requireClosed(IOException e) {
        if (!socket.isClosed()) {
            throw new UncheckedIOException(e);
        }
    }
}
