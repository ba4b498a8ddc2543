package org.sparkqlora.checkpoint.hub;

import java.io.IOException;
import java.io.InputStream;
import java.util.SortedMap;
import java.util.TreeMap;
import org.sparkqlora.http.Backoff;
import org.sparkqlora.storage.FolderFiles;

/** The files of a pinned model on a hub. */
record HubFolder(HubId id, HubClient client, Backoff backoff) implements FolderFiles {
    HubFolder(HubId id, HubAccess access) {
        this(id, new HubClient(access), Backoff.DEFAULT);
    }

    @Override
    public SortedMap<String, Long> lengths() throws IOException {
        SortedMap<String, Long> lengths = new TreeMap<>();
        for (HubFile file : backoff.run(() -> client.list(id)).files()) {
            lengths.put(file.name(), file.size());
        }

        return lengths;
    }

    @Override
    public byte[] read(String name, long from, int count) throws IOException {
        return count == 0 ? new byte[0] : backoff.run(() -> readOnce(name, from, count));
    }

    private byte[] readOnce(String name, long from, int count) throws IOException {
        try (HubClient.Download download = client.open(id, name, from, count)) {
            InputStream body = download.body();
            body.skipNBytes(from - download.from());
            byte[] bytes = body.readNBytes(count);
            if (bytes.length < count) {
                throw new IOException("Failed to download %s: expected %d bytes from byte %d on, found %d"
                        .formatted(address(name), count, from, bytes.length));
            }

            return bytes;
        }
    }

    @Override
    public String address(String name) {
        return id.address() + "/" + name;
    }
}
