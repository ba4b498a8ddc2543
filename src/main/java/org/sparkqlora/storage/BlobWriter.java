package org.sparkqlora.storage;

import java.io.DataOutputStream;
import java.io.IOException;

/** Writes the content of a file. */
@FunctionalInterface
public interface BlobWriter {
    void write(DataOutputStream out) throws IOException;
}
