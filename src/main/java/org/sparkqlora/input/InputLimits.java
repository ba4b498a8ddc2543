package org.sparkqlora.input;

/**
 * Limits on the size of what users provide. Each limit is far above what data and models in use have, and far below what ends a
 * process.
 *
 * @param recordBytes of one training record: a line, an element of a list, or the JSON of a table's row
 * @param recordDepth levels of nesting in the JSON of a record
 * @param tokenizerBytes of {@code tokenizer.json}
 * @param tokenizerDepth levels of nesting in it
 * @param optionsBytes of a file of options
 * @param configBytes of a configuration, a chat template, or an index of files
 * @param documentBytes of a document that an earlier run wrote, such as a plan or a manifest
 * @param ggufTextBytes of a text in the header of a GGUF file; the longest are chat templates
 * @param ggufPieceLength characters of a token in a GGUF file
 * @param ggufListLength of a list in the header of a GGUF file; the longest are of tokens and merges
 */
public record InputLimits(
        int recordBytes,
        int recordDepth,
        int tokenizerBytes,
        int tokenizerDepth,
        int optionsBytes,
        int configBytes,
        int documentBytes,
        int ggufTextBytes,
        int ggufPieceLength,
        int ggufListLength) {
    private static final int MIB = 1 << 20;

    /** Those that hold unless an option says otherwise. */
    public static final InputLimits DEFAULT =
            new InputLimits(16 * MIB, 256, 256 * MIB, 64, MIB, 96 * MIB, 256 * MIB, 16 * MIB, 1 << 10, 1 << 23);
}
