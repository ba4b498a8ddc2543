package org.sparkqlora.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class JoinedStreamsTest {
    private final List<Integer> opened = new ArrayList<>();
    private final List<Integer> closed = new ArrayList<>();

    @Test
    void areOneStream() throws IOException {
        try (InputStream joined = joined()) {
            assertThat(joined.read()).isEqualTo(1);
            assertThat(joined.readAllBytes()).containsExactly(2, 3, 4);
            assertThat(joined.read()).isEqualTo(-1);
        }

        assertThat(closed).containsExactly(1, 0, 3, 4);
    }

    @Test
    void oneThatIsNotReachedIsNotOpened() throws IOException {
        try (InputStream joined = joined()) {
            assertThat(joined.readNBytes(3)).containsExactly(1, 2, 3);
        }

        assertThat(opened).containsExactly(1, 0, 3);
        assertThat(closed).containsExactly(1, 0, 3);
    }

    @Test
    void noneAtAllIsAnEmptyStream() throws IOException {
        try (InputStream joined = new JoinedStreams(Stream.<InputStream>empty().iterator())) {
            assertThat(joined.readAllBytes()).isEmpty();
        }
    }

    /** Of one byte, none, two and one. */
    private InputStream joined() {
        return new JoinedStreams(Stream.of(new byte[] {1}, new byte[0], new byte[] {2, 3}, new byte[] {4})
                .map(this::open)
                .iterator());
    }

    private InputStream open(byte[] bytes) {
        int name = bytes.length == 0 ? 0 : bytes[bytes.length - 1];
        opened.add(name);
        return new ByteArrayInputStream(bytes) {
            @Override
            public void close() {
                closed.add(name);
            }
        };
    }
}
