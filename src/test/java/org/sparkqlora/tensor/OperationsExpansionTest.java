package org.sparkqlora.tensor;

import org.jspecify.annotations.NullMarked;

@NullMarked
class OperationsExpansionTest extends FourBitExpansionContract {
    @Override
    protected FourBitExpansion expansion() {
        return new OperationsExpansion();
    }
}
