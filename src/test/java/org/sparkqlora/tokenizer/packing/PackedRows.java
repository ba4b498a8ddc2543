package org.sparkqlora.tokenizer.packing;

import java.util.List;
import org.sparkqlora.tokenizer.EncodedExample;

/** Rows of examples, packed. */
public final class PackedRows {
    private PackedRows() {}

    /** Rows that together hold every example once, cut to the width. */
    public static List<TokenRow> of(List<EncodedExample> examples, int width) {
        List<EncodedExample> cut =
                examples.stream().map(example -> example.truncatedTo(width)).toList();
        return RowPacker.pack(cut.stream().map(EncodedExample::length).toList(), width, Integer.MAX_VALUE).stream()
                .map(row -> TokenRow.of(row.stream().map(cut::get).toList(), width))
                .toList();
    }
}
