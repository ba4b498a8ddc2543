package org.sparkqlora.checkpoint.hub;

/**
 * A file of a model on a hub.
 *
 * @param name in the model's folder
 * @param size bytes
 * @param checksum what its bytes must come to
 */
record HubFile(String name, long size, Checksum checksum) {
    /** The hash that a hub keeps of a file. */
    sealed interface Checksum {
        String hex();
    }

    /** SHA-256 of a large file's bytes. */
    record Sha256Sum(String hex) implements Checksum {}

    /** SHA-1 that git gives a small file: over its kind and size and then its bytes. */
    record GitSum(String hex) implements Checksum {}
}
