/** The commands: what people ask for, by a command line or from a program; and how a command ends. */
@NullMarked
package org.sparkqlora.command;

import org.jspecify.annotations.NullMarked;
