// The storage account of one app's host: its package, its keys and locks and, where it works, Durable's task hub. Reached by that
// app's identity alone, so that no app reaches another's queues, or the code that another one runs.
// Without a virtual network the account is reachable from anywhere; who may do anything there is decided by role.

@description('Name of the account.')
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags of the environment.')
param tags object

@description('Redundancy of the account.')
param redundancy string

@description('Object id of the app\'s identity.')
param identityPrincipalId string

// Built-in roles reference. Of the whole account, since Durable makes its own containers, queues and tables, named after
// its task hub. Blob Data Owner, and not Contributor, is what the Functions host documents for its own storage.
var roles = {
  blobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
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

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource deployments 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: 'deployments'
  properties: {
    publicAccess: 'None'
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(account.id, identityPrincipalId, role.value)
    scope: account
    properties: {
      principalId: identityPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    }
  }
]

@description('Name of the account, for the host\'s connection by identity.')
output accountName string = account.name

@description('Address of the container from which the app\'s package is loaded.')
output deploymentContainer string = '${account.properties.primaryEndpoints.blob}${deployments.name}'
