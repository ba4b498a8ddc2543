package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** The encoding of text as tokens of a vocabulary: the parts of {@code tokenizer.json} in which kinds of tokenizers differ. */
sealed interface GgufEncodingJson permits ByteLevelEncodingJson, SentencePieceEncodingJson {
    /** The {@code normalizer}. */
    Optional<ObjectNode> normalizer();

    /** The {@code pre_tokenizer}. */
    Optional<ObjectNode> preTokenizer();

    /** The {@code decoder}. */
    ObjectNode decoder();

    /** Adds merges and their options to a model of byte-pair encoding. */
    void describe(ObjectNode model);

    /** Whether a text begins with BOS where the file does not say. */
    boolean beginsUnasked();
}
