package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** How text becomes tokens of a vocabulary: the parts of {@code tokenizer.json} in which kinds of tokenizers differ. */
sealed interface GgufEncodingJson permits ByteLevelEncodingJson, SentencePieceEncodingJson {
    /** What is done to text before it is cut. */
    Optional<ObjectNode> normalizer();

    /** How text is cut before pieces are merged. */
    Optional<ObjectNode> preTokenizer();

    /** How tokens become text. */
    ObjectNode decoder();

    /** Adds merges and their options to a model of byte-pair encoding. */
    void describe(ObjectNode model);

    /** Whether a text begins with BOS where the file does not say. */
    boolean beginsUnasked();
}
