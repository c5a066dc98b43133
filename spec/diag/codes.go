package diag

// The codes of diagnostics. A code keeps its meaning for ever; the code of a
// diagnostic that is no longer given is not used again: 0112, 0113 and 0126 are
// such.
const (
	// Files and syntax.

	CodeNoFile       = "GPF-0001" // a file or directory is missing or cannot be read
	CodeNothingToDo  = "GPF-0002" // a directory without specifications, or an empty file
	CodeEncoding     = "GPF-0003" // a file is not UTF-8 text
	CodeSyntax       = "GPF-0004" // the text does not follow the grammar
	CodeDuplicate    = "GPF-0005" // an attribute, a block or a key is written twice
	CodeNoPipeline   = "GPF-0006" // there is no pipeline block
	CodeTwoPipelines = "GPF-0007" // there is more than one pipeline block
	CodeBadName      = "GPF-0008" // a name has characters that names may not have
	CodeLabels       = "GPF-0009" // a block has too few or too many labels

	// Blocks and fields.

	CodeUnknownBlock   = "GPF-0020" // the block type does not exist
	CodeUnknownKind    = "GPF-0021" // the block type has no such kind
	CodeSameAddress    = "GPF-0022" // two nodes have one address
	CodeUnknownField   = "GPF-0023" // the attribute or block does not exist here
	CodeMissingField   = "GPF-0024" // a required attribute or block is missing
	CodeBlockForm      = "GPF-0025" // a block is written as an attribute, or the other way round
	CodeDeprecated     = "GPF-0026" // warning: the field is to be replaced
	CodeValueType      = "GPF-0027" // the value has the wrong type
	CodeValue          = "GPF-0028" // the value is of the right type and not allowed
	CodeUnknownOption  = "GPF-0029" // the value is none of the options
	CodeEvaluate       = "GPF-0030" // the value cannot be computed
	CodeUnknownName    = "GPF-0031" // a value refers to something that does not exist
	CodeReference      = "GPF-0032" // an edge is not written as the address of a node
	CodeExpressionForm = "GPF-0033" // a record expression is not written as quoted text
	CodeTemplate       = "GPF-0034" // ${ } in a record expression
	CodeType           = "GPF-0035" // a type in a schema or a variable is not one
	CodeUnknownSchema  = "GPF-0036" // a schema that does not exist
	CodeSameName       = "GPF-0037" // two variables, locals or schemas have one name

	// Variables and locals.

	CodeUnknownVariable = "GPF-0050" // a value is given for a variable that is not declared
	CodeNoValue         = "GPF-0051" // a variable has neither default nor value
	CodeVariableValue   = "GPF-0052" // the value of a variable has the wrong type
	CodeValidation      = "GPF-0053" // the value of a variable fails its validation
	CodeLocalCycle      = "GPF-0054" // locals refer to each other in a circle
	CodeVariableFlag    = "GPF-0055" // --var is not written as name=value

	// The graph.

	CodeUnknownNode   = "GPF-0100" // a reference to a node that does not exist
	CodeUnknownPort   = "GPF-0101" // a reference to a port that the node does not have
	CodeNoOutput      = "GPF-0102" // a reference to a sink, which has no output
	CodeCycle         = "GPF-0103" // nodes feed each other in a circle
	CodeUnread        = "GPF-0104" // warning: nobody reads the output of a node
	CodeUnreadErrors  = "GPF-0105" // records are diverted to a port that nobody reads
	CodeUnreadLate    = "GPF-0106" // warning: nobody reads the late records of a window
	CodeNoNodes       = "GPF-0107" // a pipeline without sources or without sinks
	CodeSameReference = "GPF-0108" // one input names the same output twice
	CodeErrorsNotOn   = "GPF-0109" // somebody reads an errors port that never gets a record
	CodeInputs        = "GPF-0110" // the schemas of the inputs of a node differ
	CodeParallelism   = "GPF-0111" // the parallelism is not possible here
	CodeNeverEnds     = "GPF-0113" // warning: the output appears when the input ends, and it does not end
	CodeKeyType       = "GPF-0114" // a column of this type cannot be a key
	CodeFeedback      = "GPF-0115" // warning: a source may read what a sink writes

	// Schemas, time and expressions.

	CodeConfig          = "GPF-0120" // the configuration of a node is not possible
	CodeExpression      = "GPF-0121" // a record expression does not parse or has a wrong type
	CodeUnknownColumn   = "GPF-0122" // the input has no such column
	CodeColumnType      = "GPF-0123" // a column has the wrong type
	CodeNoEventTime     = "GPF-0124" // a window without event time on its input
	CodeSameColumn      = "GPF-0125" // two output columns have one name
	CodeTooBig          = "GPF-0127" // a file or an expression is beyond a limit
	CodeOptional        = "GPF-0128" // an optional column is used where null is not allowed
	CodeUnknownFunction = "GPF-0129" // there is no such function
)
