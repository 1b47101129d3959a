// The audit's own storage account: one table of entries, one container of nightly seals. The apps' identities may insert and
// read entries, and the one whose night it is may add seals; none can change or delete either, or makes a table or container.

@description('Suffix that makes names unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Redundancy of the account.')
param redundancy string

@description('How long a seal can be neither changed nor deleted, in days after it was written.')
param sealDays int

@description('Whether the retention policy was locked, by hand and for good. A locked policy is left as it is.')
param sealsLocked bool

@description('Object ids of the apps\' identities.')
param principalIds string[]

@description('Object id of the identity of the app that seals.')
param sealerPrincipalId string

@description('Name of the environment, in the names of the custom roles: these are unique in a tenant.')
param environmentName string

// Permissions for calling data operations (Storage REST reference): Insert Entity needs add/action, Query Entities needs read.
var entryActions = [
  'Microsoft.Storage/storageAccounts/tableServices/tables/entities/add/action'
  'Microsoft.Storage/storageAccounts/tableServices/tables/entities/read'
]

// The same page: Put Blob needs add/action where the blob is new, and write, which is not given, where it is there already.
// The app never reads a seal: the verifier does, as a person.
var sealActions = [
  'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: 'staudit${token}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource entries 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = {
  parent: tableService
  name: 'Audit'
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource seals 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: 'audit-seals'
  properties: {
    publicAccess: 'None'
  }
}

// Container-level WORM: a new blob may be written, none overwritten or deleted until its time is over. Version-level WORM
// would allow overwriting, as another version. A policy is made unlocked, so an administrator of the account may still remove
// it; locking it cannot be undone, nor written down here, and is left to a person.
resource retention 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = if (!sealsLocked) {
  parent: seals
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: sealDays
    allowProtectedAppendWrites: false
  }
}

resource entryWriter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'audit-entries')
  properties: {
    roleName: 'Tenantry audit entries (${environmentName})'
    description: 'Inserts and reads audit entries. Changes and deletes none.'
    type: 'CustomRole'
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: entryActions
        notDataActions: []
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

resource sealWriter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'audit-seals')
  properties: {
    roleName: 'Tenantry audit seals (${environmentName})'
    description: 'Adds seals of the audit. Reads, changes and deletes none.'
    type: 'CustomRole'
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: sealActions
        notDataActions: []
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

resource entryAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in principalIds: {
    name: guid(entries.id, principalId, entryWriter.id)
    scope: entries
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: entryWriter.id
    }
  }
]

resource sealAssignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(seals.id, sealerPrincipalId, sealWriter.id)
  scope: seals
  properties: {
    principalId: sealerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: sealWriter.id
  }
}

@description('Name of the account, whose retention policy a person locks.')
output accountName string = account.name

@description('Table endpoint of the audit.')
output tablesEndpoint string = account.properties.primaryEndpoints.table

@description('Blob endpoint of the audit.')
output blobsEndpoint string = account.properties.primaryEndpoints.blob
