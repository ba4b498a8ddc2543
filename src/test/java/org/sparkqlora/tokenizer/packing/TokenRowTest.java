package org.sparkqlora.tokenizer.packing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.sparkqlora.tokenizer.packing.TokenRow.DocumentRange;

class TokenRowTest {
    @Test
    void knowsItsDocuments() {
        TokenRow row = new TokenRow(
                new int[] {1, 2, 3, 4, 0}, new boolean[5], new boolean[] {true, false, true, true, false}, 4);

        assertThat(row.documents())
                .containsExactly(new DocumentRange(0, 2), new DocumentRange(2, 3), new DocumentRange(3, 4));
    }

    @Test
    void theFirstTokenOfADocumentIsNoTarget() {
        assertThatThrownBy(() -> new TokenRow(new int[2], new boolean[] {false, true}, new boolean[] {true, true}, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot train token 1: it is the first of a document, so nothing predicts it");
    }

    @Test
    void paddingIsNothingElse() {
        assertThatThrownBy(() -> new TokenRow(new int[] {5, 6}, new boolean[2], new boolean[] {true, false}, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot use token 1 of a row: expected padding from token 1 on");
    }

    @Test
    void beginsWithADocument() {
        assertThatThrownBy(() -> new TokenRow(new int[2], new boolean[2], new boolean[2], 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Cannot make a row whose first token does not start a document");
    }

    @Test
    void keepsCopiesOfItsArrays() {
        int[] ids = {5, 6};
        TokenRow row = new TokenRow(ids, new boolean[2], new boolean[] {true, false}, 2);
        ids[0] = 9;

        assertThat(row.ids()).containsExactly(5, 6);
    }
}
