package org.sparkqlora.storage;

import java.io.IOException;
import java.util.SortedMap;

/** The files of a folder, wherever it lies. Several threads may read at once. */
public interface FolderFiles {
    /** The lengths of its files by name; folders in it are left out. */
    SortedMap<String, Long> lengths() throws IOException;

    /** {@code count} bytes of a file, from byte {@code from} on. */
    byte[] read(String name, long from, int count) throws IOException;

    /** The address of a file in messages. */
    String address(String name);
}
